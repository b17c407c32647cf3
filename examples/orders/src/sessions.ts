import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';

/** Who is logged in, by the value of the cookie `session`. An application has a database for this. */
@Injectable()
export class Sessions {
  private readonly names = new Map<string, string>();

  begin(name: string): string {
    const id = randomUUID();
    this.names.set(id, name);
    return id;
  }

  /** The name of the customer that a request is from. */
  nameOf({ headers }: { readonly headers: { readonly cookie?: string | undefined } }): string | undefined {
    const id = /(?:^|; )session=([^;]*)/.exec(headers.cookie ?? '')?.[1];
    return id === undefined ? undefined : this.names.get(id);
  }
}
