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
  #data: Data | undefined;

  /** @param topic the topic that was subscribed to, or that the subscribed pattern matched. */
  constructor(
    { id, type, data, replayed }: WireMessage,
    readonly topic: string,
  ) {
    this.id = id;
    this.type = type;
    this.text = data;
    this.replayed = replayed;
  }

  /**
   * The data as JSON, parsed when it is first asked for. Its type is what the application declared: nothing checks it.
   * @throws {HeraldError} `data-invalid` when it is not JSON: use `text` then.
   */
  get data(): Data {
    try {
      return (this.#data ??= JSON.parse(this.text) as Data);
    } catch (cause) {
      throw new HeraldError('data-invalid', 'Not JSON: read `text`.', { cause });
    }
  }
}
