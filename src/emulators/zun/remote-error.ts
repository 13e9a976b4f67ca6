import { ZunError } from './errors.ts';

/**
 * Makes an error that zun-compute raised while zun-api waited for it: the code ends in `-remote`, the detail carries Python's
 * traceback (docs/zun.md, Checked again on zun 18.0.0).
 */
export function remoteError(status: number, code: string, message: string, method: string): ZunError {
  const frames = [
    ['oslo_messaging/rpc/server.py', 174, '_process_incoming', 'res = self.dispatcher.dispatch(message)'],
    ['oslo_messaging/rpc/dispatcher.py', 309, 'dispatch', 'return self._do_dispatch(endpoint, method, ctxt, args)'],
    ['zun/common/utils.py', 226, 'decorated_function', 'return function(self, context, *args, **kwargs)'],
    ['zun/compute/manager.py', 813, method, 'raise'],
  ] as const;
  const lines = frames.map(([file, line, name, code]) => `  File "${file}", line ${line}, in ${name}\n    ${code}\n`);
  const detail = `${message}\nTraceback (most recent call last):\n\n${lines.join('\n')}\nzun.common.exception: ${message}\n`;
  return new ZunError(status, `${code}-remote`, message, detail);
}
