/**
 * Replaces `$(NAME)` by the variable's value. `$$` gives `$`; an unknown name, an unclosed `$(` and a `$` before anything
 * else stay as they are. Results are not expanded again.
 * Source: k8s.io/kubernetes/third_party/forked/golang/expansion.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let out = '';
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar === -1 || dollar === text.length - 1) return out + text.slice(at);
    out += text.slice(at, dollar);
    const next = text[dollar + 1];
    if (next === '$') {
      out += '$';
      at = dollar + 2;
      continue;
    }
    const close = next === '(' ? text.indexOf(')', dollar + 2) : -1;
    if (close === -1) {
      out += text.slice(dollar, dollar + 2);
      at = dollar + 2;
      continue;
    }
    const name = text.slice(dollar + 2, close);
    out += lookup(name) ?? text.slice(dollar, close + 1);
    at = close + 1;
  }
  return out;
}
