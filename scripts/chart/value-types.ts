/** A value that a user of the chart may set. */
export interface Leaf {
  doc: string;
  default: unknown;
  /** JSON schema, draft 7. */
  schema: object;
}

/** A map of values with names of its own; no other names are allowed in it. */
export interface Branch {
  doc: string;
  keys: Values;
}

/** The values of a chart, or of one map in it, in the order in which they are shown. */
export type Values = Readonly<Record<string, Leaf | Branch>>;

/** Text. */
export function text(value: string, doc: string, more: object = {}): Leaf {
  return { doc, default: value, schema: { type: 'string', ...more } };
}

/** `true` or `false`. */
export function flag(value: boolean, doc: string): Leaf {
  return { doc, default: value, schema: { type: 'boolean' } };
}

/** A whole number within bounds. */
export function whole(value: number, doc: string, bounds: { minimum: number; maximum: number }): Leaf {
  return { doc, default: value, schema: { type: 'integer', ...bounds } };
}

/** A map that Kubernetes takes as it is. */
export function free(value: object, doc: string): Leaf {
  return { doc, default: value, schema: { type: 'object' } };
}

/** A list of maps that Kubernetes takes as they are. */
export function list(value: object[], doc: string): Leaf {
  return { doc, default: value, schema: { type: 'array', items: { type: 'object' } } };
}

/** A map of text to text, such as labels. */
export function words(value: Record<string, string>, doc: string): Leaf {
  return { doc, default: value, schema: { type: 'object', additionalProperties: { type: 'string' } } };
}

/** A list of text. */
export function texts(value: string[], doc: string): Leaf {
  return { doc, default: value, schema: { type: 'array', items: { type: 'string' } } };
}

/** Whether it is a map of values and no value itself. */
export function isBranch(value: Leaf | Branch): value is Branch {
  return 'keys' in value;
}
