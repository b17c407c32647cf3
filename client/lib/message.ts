import type { StandardSchema } from './api.js';
import { HeraldError } from './errors.js';
import type { WireMessage } from './wire.js';

/** One update, as a handler gets it. */
export class Message<Data = unknown> {
  /** The update's id; undefined on hubs that give none. */
  readonly id: string | undefined;
  /** The update's type; `message` where its publisher gave none. */
  readonly type: string;
  /** The data as it was published. */
  readonly text: string;
  /** Whether it came from the hub's history, and not live. */
  readonly replayed: boolean;
  readonly #schema: StandardSchema<Data> | undefined;
  #data: { readonly value: Data } | undefined;

  /** @param topic the topic that was subscribed to, or that the subscribed pattern matched. */
  constructor(
    { id, type, data, replayed }: WireMessage,
    readonly topic: string,
    schema?: StandardSchema<Data>,
  ) {
    this.id = id;
    this.type = type;
    this.text = data;
    this.replayed = replayed;
    this.#schema = schema;
  }

  /**
   * The data as JSON, parsed when it is first asked for, and checked by the subscription's `parse`. Without that, its
   * type is what the application declared, and nothing checks it.
   * @throws {HeraldError} `data-invalid` when it is not JSON (use `text` then), or not what `parse` takes.
   */
  get data(): Data {
    this.#data ??= { value: this.#parse() };
    return this.#data.value;
  }

  #parse(): Data {
    let value: unknown;
    try {
      value = JSON.parse(this.text);
    } catch (cause) {
      throw new HeraldError('data-invalid', 'The data of a message is not JSON: read `text`.', { cause });
    }
    if (!this.#schema) return value as Data;
    const result = this.#schema['~standard'].validate(value);
    if (result instanceof Promise) throw new HeraldError('misused', 'A schema for `parse` must not be asynchronous.');
    if (!result.issues) return result.value;
    const [issue] = result.issues;
    const what = `The data of a message is not what \`parse\` takes: ${issue?.message ?? 'it does not say why'}`;
    throw new HeraldError('data-invalid', what, { cause: result.issues });
  }
}
