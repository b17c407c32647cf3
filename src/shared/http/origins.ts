/** One or more labels of a host's name, as browsers write them. */
const LABELS = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/;

/** `https://*.example.com`, with a port or without: what stands before the labels, and after them. */
interface Subdomains {
  readonly before: string;
  readonly after: string;
}

/** A list of origins as settings have it: each as browsers write it, or with `*` for the labels below a domain. */
export class Origins {
  private readonly exact: ReadonlySet<string>;
  private readonly subdomains: readonly Subdomains[];

  constructor(list: readonly string[]) {
    this.exact = new Set(list.filter((origin) => !origin.includes('*')));
    this.subdomains = list
      .filter((origin) => origin.includes('*'))
      .map((origin) => {
        const [before = '', after = ''] = origin.split('*');
        return { before, after };
      });
  }

  /** Whether an origin, as an `Origin` header has it, is on the list. */
  has(origin: string): boolean {
    return this.exact.has(origin) || this.subdomains.some((pattern) => isBelow(origin, pattern));
  }
}

function isBelow(origin: string, { before, after }: Subdomains): boolean {
  if (!origin.startsWith(before) || !origin.endsWith(after)) return false;
  return LABELS.test(origin.slice(before.length, -after.length));
}
