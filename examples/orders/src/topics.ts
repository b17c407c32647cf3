import process from 'node:process';

/** Where the application is for its users. */
export const ORIGIN = process.env['ORIGIN'] ?? 'http://localhost:3000';

/** The topic of an order. A topic is only a name: nothing has to be found there. */
export function topicOf(customer: string, order: string): string {
  return `${ORIGIN}/customers/${encodeURIComponent(customer)}/orders/${order}`;
}
