/**
 * How a command is run through Zun's terminal so that it behaves as over a kubelet. Zun's interactive exec is always a
 * terminal (zun/container/docker/driver.py, execute_create: tty = interactive) and never tells an exit code, so a small
 * shell script inside the container stands between: it turns the terminal's changes off, keeps stderr apart, gives input
 * an end, and reports. What it reports comes as marks among the output: `ESC _ <token> <letter> <text> <token> ESC \`.
 *
 * Letters: `r` ready for the script, `p` process id (the command starts), `k` one piece of input taken, `e` a piece of
 * stderr, `n` one that ends its line, `o` stdout done, `d` stderr done, `x` exit code. A mark is written with one call
 * and must hold no line end, at which some shells would cut the call in two.
 */
export type MarkLetter = 'r' | 'p' | 'k' | 'e' | 'n' | 'o' | 'd' | 'x';

const esc = '\\033';

function mark(letter: MarkLetter, token: string, text = ''): string {
  return `${esc}_${token}${letter}${text}${token}${esc}\\\\`;
}

/**
 * Quotes one word for a POSIX shell. A word must not contain NUL. Docker's detach keys (see `inputPiece`) are kept apart
 * by two quotes.
 */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`).replaceAll('\u0010\u0011', "\u0010''\u0011")}'`;
}

/** The command that tells whether a container has what the scripts need: it prints `x` and exits 0 then. */
export const kitProbe: string[] = [
  'sh',
  '-c',
  'for t in stty dd cat tr; do command -v $t || exit 9; done >/dev/null; printf x | dd bs=1 count=1 iflag=fullblock 2>/dev/null',
];

/**
 * The command that waits for a script on its terminal. It is short whatever is to be run, since Zun takes commands in
 * the URL. `token` is letters and digits that nobody can guess.
 */
export function bootstrapCommand(token: string, tty: boolean): string[] {
  const before = tty ? 'o=$(stty -g);' : '';
  const after = tty ? 'stty "$o";' : '';
  const read = `s=; while IFS= read -r l && [ "$l" != ${token} ]; do s="$s$l\n"; done;`;
  return ['sh', '-c', `${before} stty raw -echo; printf '${mark('r', token)}'; ${read} ${after} eval "$s"`];
}

/** What a script is made of. */
export interface ScriptRequest {
  command: string[];
  token: string;
  tty: boolean;
  stdin: boolean;
}

/**
 * Writes the script that the bootstrap waits for. `exec` in a subshell finds programs only, so that a shell's builtins
 * do not stand in for them, as a kubelet's exec would not. The traps keep the script alive when Ctrl-C reaches it too.
 */
export function execScript(request: ScriptRequest): string {
  const { token } = request;
  const run = `(exec ${request.command.map(shellQuote).join(' ')}`;
  const lines = request.tty
    ? [
        'trap : INT QUIT',
        `printf '${mark('p', token, '%s')}' "$$"`,
        `${run})`,
        `printf '${mark('x', token, '%s')}' "$?"`,
      ]
    : [
        'exec 3>&1',
        `printf '${mark('p', token, '%s')}' "$$"`,
        `{ { ${request.stdin ? `${inputLoop(token)} | ` : ''}{ ${run} 3>&- 4>&- 5>&-)${request.stdin ? '' : ' </dev/null'} 2>&5; echo $? >&4; } |`,
        `{ cat; printf '${mark('o', token)}'; } >&3 4>&- 5>&-; } 5>&1 |`,
        `{ LC_ALL=C; ${errorLoop(token)} printf '${mark('d', token)}'; } >&3 4>&-; } 4>&1 |`,
        `{ read -r c; printf '${mark('x', token, '%s')}' "$c"; } >&3`,
      ];
  return `${lines.join('\n')}\n${token}\n`;
}

/**
 * Takes pieces of input, see `inputPiece`; a length of zero is the end. Read with dd alone: the `read` of some shells takes
 * more than its line from a raw terminal.
 */
function inputLoop(token: string): string {
  const take = (bytes: string): string => `dd bs=${bytes} count=1 iflag=fullblock 2>/dev/null`;
  const header = `h=$(${take('12')}) && h=\${h#?} && n=\${h%???} && [ "\${n:-0}" -gt 0 ]`;
  const plain = take('"$n"');
  const takePiece = `if [ "$c" = 021 ]; then ${plain}; else ${plain} | LC_ALL=C tr "\\\\021\\\\$c" "\\\\$c\\\\021"; fi`;
  const done = `printf '${mark('k', token)}' >&3`;
  return `{ while ${header}; do c=\${h#????????}; ${takePiece}; ${done}; done; } 4>&- 5>&-`;
}

/** Sends stderr in marks short enough for one write each, so that nothing of stdout gets in between. */
function errorLoop(token: string): string {
  const send = (letter: MarkLetter, text: string): string => `printf '${mark(letter, token, '%s')}' "${text}"`;
  const cut = `while [ \${#l} -gt 200 ]; do p=$(printf %.200s "$l"); [ -n "$p" ] || break; ${send('e', '$p')}; l=\${l#"$p"}; done`;
  return `while IFS= read -r l; do ${cut}; ${send('n', '$l')}; done; [ -z "$l" ] || { ${cut}; ${send('e', '$l')}; };`;
}

/** The command that ends what a script started, as a closed terminal would: SIGHUP to its process group. */
export function hangUpCommand(pid: number): string[] {
  return ['sh', '-c', `kill -s HUP -- -${pid} || kill -s HUP ${pid}`];
}

/** Most bytes of one piece of input. */
export const inputPieceBytes = 256 * 1024;

const detachFirst = 0x10;
const detachSecond = 0x11;

/**
 * Makes a piece of the first bytes of input: a dot, eight digits of length, three octal digits, then the bytes. Docker
 * ends an exec at Ctrl-P Ctrl-Q on its terminal, and holds a Ctrl-P back until the next byte comes; so where the pair
 * stands among the bytes, Ctrl-Q and a byte that never follows Ctrl-P change places, and the digits name that byte. The
 * dot of the next piece, sent at once, lets go a Ctrl-P at the end. Source: moby/term (escape proxy), docs of `docker attach`.
 */
export function inputPiece(bytes: Buffer): { frame: Buffer; used: number } {
  for (let used = Math.min(bytes.length, inputPieceBytes); ; used = Math.ceil(used / 2)) {
    const piece = bytes.subarray(0, used);
    const partner = swapPartner(piece);
    if (partner === undefined) continue;
    const header = `${String(used).padStart(8, '0')}${partner.toString(8).padStart(3, '0')}`;
    const content = partner === detachSecond ? piece : swapped(piece, partner);
    return { frame: Buffer.concat([Buffer.from(header), content, Buffer.from('.')]), used };
  }
}

/** Begins the input: what comes before the first piece. */
export const inputStart: Buffer = Buffer.from('.');

/** Ends the input. */
export const inputEnd: Buffer = Buffer.from('00000000021');

/** A byte that never follows Ctrl-P; Ctrl-Q itself where it does not. A hundred bytes always have one. */
function swapPartner(piece: Buffer): number | undefined {
  const followers = new Set<number>();
  for (let at = piece.indexOf(detachFirst); at >= 0; at = piece.indexOf(detachFirst, at + 1)) {
    const follower = piece[at + 1];
    if (follower !== undefined) followers.add(follower);
  }
  if (!followers.has(detachSecond)) return detachSecond;
  // High bytes and letters: `tr` has no other meaning for them.
  for (let byte = 0xff; byte >= 0x80; byte--) if (!followers.has(byte)) return byte;
  for (let byte = 0x7a; byte >= 0x61; byte--) if (!followers.has(byte)) return byte;
  return undefined;
}

function swapped(piece: Buffer, partner: number): Buffer {
  const copy = Buffer.from(piece);
  for (let at = 0; at < copy.length; at++) {
    if (copy[at] === partner) copy[at] = detachSecond;
    else if (copy[at] === detachSecond) copy[at] = partner;
  }
  return copy;
}
