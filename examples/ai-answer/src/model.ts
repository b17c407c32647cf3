import { setTimeout as delay } from 'node:timers/promises';

const SAYING = 'That is a good question. I think about it, word by word, and whoever listens can follow me.';

/** Stands for a language model: it gives its answer in small pieces, and takes its time. */
export async function* wordsAbout(question: string): AsyncGenerator<string> {
  for (const word of `You ask: ${question} ${SAYING}`.split(' ')) {
    await delay(100);
    yield `${word} `;
  }
}
