import { isObservable, type Observable } from 'rxjs';

/** A source of events with ids that can begin after any of them, such as what `HubService.updates` gives. */
export interface Resumable<T> extends Observable<T> {
  /**
   * The same events from after the one with this id on, which a client brings as its `Last-Event-ID`. Without an id they
   * begin as these do.
   * @param onNotice is told what the source has to say besides, in its place among the events: that some are missing, for one.
   */
  after(id: string | undefined, onNotice?: (notice: SourceNotice) => void): Observable<T>;
}

export interface SourceNotice {
  readonly type: string;
  /** A name of the place, for the client to come back with. */
  readonly id?: string | undefined;
}

/** Whether a source can begin after any of its events. One that has gone through `pipe` can not. */
export function isResumable(source: unknown): source is Resumable<unknown> {
  return isObservable(source) && 'after' in source && typeof source.after === 'function';
}
