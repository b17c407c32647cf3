import type { Match } from '../../../client/lib/matcher.js';

/** What a page may subscribe to. */
export interface Wish {
  readonly name: string;
  readonly match: Match;
  /** Whether it matches the topic of a letter. */
  wants(letter: string): boolean;
  /** Whether the hub refuses it, and no other one for its sake. */
  readonly isBad?: boolean;
}

/** The topics that updates have. */
export const LETTERS = ['a', 'b', 'c'] as const;

/** Patterns of a crowd: one crowd is as much as the hub takes on a stream besides a few others, and two are more. */
const CROWD = 60;

/** What pages of one programme may subscribe to. */
export class Wishes {
  readonly all: readonly Wish[];

  /** @param name of the programme, which is part of all its topics and ids. */
  constructor(readonly name: string) {
    const [a, b, c] = LETTERS.map((letter) => this.toTopic(letter)) as [string, string, string];
    const among =
      (...letters: readonly string[]) =>
      (letter: string): boolean =>
        letters.includes(letter);
    const all = (): boolean => true;
    const crowd = (which: string): { pattern: string }[] =>
      Array.from({ length: CROWD }, (_, index) => ({ pattern: this.toTopic(`${which}/${index}/:any`) }));
    this.all = [
      { name: 'a', match: a, wants: among('a') },
      { name: 'b', match: b, wants: among('b') },
      { name: 'c', match: c, wants: among('c') },
      { name: 'a and b', match: [a, b], wants: among('a', 'b') },
      { name: 'everything', match: '*', wants: all },
      { name: 'a pattern', match: { pattern: this.toTopic(':letter') }, wants: all },
      { name: 'c and sixty patterns', match: [c, ...crowd('one')], wants: among('c') },
      { name: 'a and sixty other patterns', match: [a, ...crowd('another')], wants: among('a') },
      // Chromium takes a pattern that looks behind, and the hub takes none.
      { name: 'a bad pattern', match: { pattern: this.toTopic(':letter((?<=a)b)') }, wants: () => false, isBad: true },
    ];
  }

  toTopic(letter: string): string {
    return `https://model.example/${this.name}/${letter}`;
  }

  /** The letter of a topic; undefined for one that is of another programme. */
  toLetter(topic: string): string | undefined {
    return LETTERS.find((letter) => this.toTopic(letter) === topic);
  }
}
