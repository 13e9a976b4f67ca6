import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AppError } from '../../../src/base/errors.ts';
import { createMarkScanner } from '../../../src/server/exec-marks.ts';
import { inputPiece } from '../../../src/server/exec-script.ts';
import { parseLog } from '../../../src/server/log-merge.ts';
import { isRefusal, logOptions } from '../../../src/server/log-options.ts';
import { requestPath } from '../../../src/server/request-attributes.ts';
import { queryPorts } from '../../../src/server/streams/port-forward-websocket.ts';
import { createFrameReader, type Frame } from '../../../src/server/streams/spdy-frames.ts';
import { createHeaderReader, parseHeaders } from '../../../src/server/streams/spdy-headers.ts';
import { createTerminalSizeDecoder } from '../../../src/server/streams/terminal-size.ts';
import { decodeMessage } from '../../../src/server/streams/websocket.ts';

const bytes = fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array));

/** Control frames with a believable head and data frames, among bytes of any kind. */
const frameBytes = fc
  .array(
    fc.oneof(
      bytes,
      fc
        .tuple(fc.integer({ min: 0, max: 10 }), fc.nat(255), fc.uint8Array({ maxLength: 60 }))
        .map(([type, flags, payload]) => {
          const head = Buffer.alloc(8);
          head.writeUInt32BE(0x80030000 + type);
          head.writeUInt8(flags, 4);
          head.writeUIntBE(payload.length, 5, 3);
          return Buffer.concat([head, payload]);
        }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => Buffer.concat(parts));

/** Cuts bytes at places. */
function cut(whole: Buffer, places: number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (whole.length + 1)))].sort((a, b) => a - b);
  return [...at, whole.length].map((end, index) => whole.subarray(at[index - 1] ?? 0, end));
}

const places = fc.array(fc.nat(5000), { maxLength: 12 });

function isProtocolError(error: unknown): boolean {
  return error instanceof AppError && error.code === 'spdy.protocol';
}

/** What a reader makes of pieces; pieces of data joined, since where they are cut is not a matter of the frames. */
function readFrames(pieces: Buffer[]): string[] {
  const seen: string[] = [];
  let data = '';
  const take = (frame: Frame): void => {
    if (frame.type === 'data') {
      data += frame.payload.toString('hex');
      if (frame.fin) seen.push(`fin ${frame.streamId}`);
      return;
    }
    seen.push(`${data} ${JSON.stringify(frame)}`);
    data = '';
  };
  const reader = createFrameReader(4096);
  try {
    for (const piece of pieces) reader.push(piece, take);
  } catch (error) {
    assert.ok(isProtocolError(error), String(error));
    seen.push('error');
  }
  return [...seen, data];
}

test('SPDY frames: any bytes, cut anywhere: the same frames or the same error', () => {
  fc.assert(
    fc.property(frameBytes, places, (whole, at) => {
      assert.deepEqual(readFrames(cut(whole, at)), readFrames([whole]));
    }),
    { numRuns: 2000 },
  );
});

test('SPDY header blocks: any bytes: headers or a protocol error', () => {
  fc.assert(
    fc.property(fc.array(bytes, { minLength: 1, maxLength: 4 }), fc.boolean(), (blocks, withHeader) => {
      const reader = createHeaderReader({ maxBytes: 2048, maxHeaders: 16 });
      try {
        for (const [index, block] of blocks.entries()) {
          const start = index === 0 && withHeader ? Buffer.from('78f9e3c6a7c2', 'hex') : Buffer.alloc(0);
          assert.ok(reader.read(Buffer.concat([start, block])).size <= 16);
        }
      } catch (error) {
        assert.ok(isProtocolError(error), String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('SPDY headers: any inflated bytes: headers or a protocol error', () => {
  fc.assert(
    fc.property(bytes, (plain) => {
      try {
        parseHeaders(plain, 16);
      } catch (error) {
        assert.ok(isProtocolError(error), String(error));
      }
    }),
    { numRuns: 1000 },
  );
});

test('WebSocket messages: any bytes in both forms: a channel or nothing', () => {
  fc.assert(
    fc.property(bytes, fc.boolean(), (message, isBase64) => {
      const decoded = decodeMessage(message, isBase64);
      assert.equal(decoded === undefined, message.length === 0);
    }),
  );
});

test('terminal sizes: any bytes, cut anywhere: only sizes come out', () => {
  const text = fc.array(
    fc.oneof(
      fc.string(),
      fc.constantFrom('{"Width":80,"Height":24}', '{"Width":0,"Height":1}', '{"Width":9e99,"Height":1}'),
    ),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(text, places, (parts, at) => {
      const decode = createTerminalSizeDecoder();
      for (const piece of cut(Buffer.from(parts.join('')), at)) {
        for (const { width, height } of decode(piece)) {
          assert.ok(width >= 1 && width <= 65535 && height >= 1 && height <= 65535);
        }
      }
    }),
  );
});

test('marks in output: any output around them, cut anywhere: output and marks as they were', () => {
  const token = 'zunlet0123456789';
  const part = fc.oneof(
    fc.record({ output: fc.oneof(bytes, fc.constantFrom(Buffer.from(`\u001b_zunlet`), Buffer.from('\u001b\u001b_'))) }),
    fc.record({ letter: fc.constantFrom('e', 'x', 'k'), text: fc.constantFrom('', '3', 'some words\u001b\\') }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), places, (parts, at) => {
      const whole = Buffer.concat(
        parts.map((one) =>
          'output' in one ? one.output : Buffer.from(`\u001b_${token}${one.letter}${one.text}${token}\u001b\\`),
        ),
      );
      const scanner = createMarkScanner(token);
      const seen: string[] = [];
      const output: Buffer[] = [];
      for (const piece of cut(whole, at)) {
        for (const found of scanner.push(piece)) {
          if (found.kind === 'bytes') output.push(found.bytes);
          else seen.push(`${found.letter}${found.text.toString()}`);
        }
      }
      output.push(scanner.flush());
      assert.deepEqual(
        Buffer.concat(output).toString('hex'),
        Buffer.concat(parts.flatMap((one) => ('output' in one ? [one.output] : []))).toString('hex'),
      );
      assert.deepEqual(
        seen,
        parts.flatMap((one) => ('output' in one ? [] : [one.letter + one.text])),
      );
    }),
    { numRuns: 2000 },
  );
});

test('pieces of input: any bytes: none holds the keys that make Docker let go, and all come back', () => {
  const keys = fc.array(fc.constantFrom(0x10, 0x11, 0xff, 0x61), { maxLength: 600 }).map((array) => Buffer.from(array));
  const every = fc.constant(Buffer.from(Array.from({ length: 512 }, (_, at) => (at % 2 === 0 ? 0x10 : at >> 1))));
  fc.assert(
    fc.property(fc.oneof(bytes, keys, every), (input) => {
      let rest = input;
      const back: Buffer[] = [];
      while (rest.length > 0) {
        const { frame, used } = inputPiece(rest);
        assert.ok(!frame.includes(Buffer.from([0x10, 0x11])));
        assert.notEqual(frame.at(-1), 0x10);
        assert.equal(Number(frame.toString('latin1', 0, 8)), used);
        const partner = Number.parseInt(frame.toString('latin1', 8, 11), 8);
        back.push(
          frame.subarray(11, -1).map((byte) => (byte === partner ? 0x11 : byte === 0x11 ? partner : byte)) as Buffer,
        );
        rest = rest.subarray(used);
      }
      assert.ok(Buffer.concat(back).equals(input));
    }),
    { numRuns: 1000 },
  );
});

const word = fc.oneof(
  fc.string(),
  fc.constantFrom('true', '0', '-1', '1e3', '9'.repeat(30), '2026-01-01T00:00:00Z', 'All', 'Stdout', 'all'),
);

test('query of logs: any words: options that hold their ranges, or a refusal', () => {
  const names = fc.constantFrom(
    'follow',
    'tailLines',
    'tail',
    'limitBytes',
    'sinceSeconds',
    'sinceTime',
    'stream',
    'x',
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(names, word), { maxLength: 6 }), (pairs) => {
      const options = logOptions(new URLSearchParams(pairs), 1_700_000_000_000);
      if (isRefusal(options)) {
        assert.ok(options.status === 400 || options.status === 422);
        return;
      }
      assert.ok((options.tailLines ?? 0) >= 0);
      assert.ok((options.limitBytes ?? 1) >= 1);
    }),
    { numRuns: 2000 },
  );
});

test('query of ports: any words: ports or nothing', () => {
  fc.assert(
    fc.property(fc.array(word), (values) => {
      for (const port of queryPorts(values) ?? []) assert.ok(port >= 1 && port <= 65535);
    }),
  );
});

test('paths: any target: one clean path or none', () => {
  const piece = fc.oneof(fc.string(), fc.constantFrom('/', '..', '.', '%2f', '%2e', '%', 'pods', '\\', '?'));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const path = requestPath(`/${pieces.join('')}`);
      if (path === undefined) return;
      assert.ok(!path.includes('//') && !path.split('/').includes('..') && !path.includes('\u0000'));
    }),
    { numRuns: 2000 },
  );
});

test('logs of the cloud: any text: lines, with nothing but line ends lost', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', '\n', '2026-01-01T00:00:00.000000000Z ', '\r', 'é') }),
      (text) => {
        const lines = parseLog(text);
        assert.equal(lines.length, text.split('\n').length - (text.endsWith('\n') || text === '' ? 1 : 0));
      },
    ),
  );
});
