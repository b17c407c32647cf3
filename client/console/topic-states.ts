import { signal } from '@preact/signals';
import type { HeraldError } from '../lib/index.js';
import type { Topic } from './address.js';

/** How a topic stands with the hub, and why it refuses it if it does. */
export interface TopicState {
  readonly state: 'pending' | 'live' | 'refused';
  readonly error?: HeraldError | undefined;
}

/** How each topic stands with the hub. */
export class TopicStates {
  private readonly states = signal<ReadonlyMap<string, TopicState>>(new Map());

  /** Undefined while nobody is connected. */
  of(topic: Topic): TopicState | undefined {
    return this.states.value.get(keyOf(topic));
  }

  set(topic: Topic, state: TopicState): void {
    this.change((states) => states.set(keyOf(topic), state));
  }

  forget(topic: Topic): void {
    this.change((states) => states.delete(keyOf(topic)));
  }

  clear(): void {
    this.states.value = new Map();
  }

  /** Whether this is why a topic is refused. */
  has(error: HeraldError): boolean {
    return [...this.states.peek().values()].some((one) => one.error === error);
  }

  private change(act: (states: Map<string, TopicState>) => unknown): void {
    const states = new Map(this.states.peek());
    act(states);
    this.states.value = states;
  }
}

export function keyOf({ kind, text }: Topic): string {
  return `${kind} ${text}`;
}
