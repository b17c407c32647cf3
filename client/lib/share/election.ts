/** Who of the tabs has the connection. */
export interface Candidate {
  elected(): void;
  /** Another tab has taken over: this one was not heard of for too long. */
  deposed(): void;
}

/** One leader among the tabs of an origin, for as long as it wants or lives. */
export interface Election {
  /** Waits for its turn. */
  stand(candidate: Candidate): void;
  /** Takes the lead from a leader that does not answer. */
  seize(): void;
  /** Lets go of the lead, or of the wish for it. */
  leave(): void;
}
