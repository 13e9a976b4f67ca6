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

/** Quotes one word for a POSIX shell. A word must not contain NUL. */
export function shellQuote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The command that tells whether a container has what the scripts need: it prints `x` and exits 0 then. */
export const kitProbe: string[] = [
  'sh',
  '-c',
  'for t in stty dd cat; do command -v $t || exit 9; done >/dev/null; printf x | dd bs=1 count=1 iflag=fullblock 2>/dev/null',
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
 * Takes pieces of input: eight digits of length, then so many bytes; a length of zero is the end. Read with dd alone: the
 * `read` of some shells takes more than its line from a raw terminal.
 */
function inputLoop(token: string): string {
  const take = (bytes: string): string => `dd bs=${bytes} count=1 iflag=fullblock 2>/dev/null`;
  const takePiece = `${take('"$n"')}; printf '${mark('k', token)}' >&3`;
  return `{ while n=$(${take('8')}) && [ "\${n:-0}" -gt 0 ]; do ${takePiece}; done; } 4>&- 5>&-`;
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

/** Largest piece of input. */
export const inputPieceBytes = 256 * 1024;

/** Encodes a piece of input. Range 1 to `inputPieceBytes` bytes. */
export function inputPiece(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(String(bytes.length).padStart(8, '0')), bytes]);
}

/** Encodes the end of input. */
export const inputEnd: Buffer = Buffer.from('00000000');
