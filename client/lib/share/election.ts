/** A tab that may become the leader, which is the one that has the connection. */
export interface Candidate {
  elected(): void;
  /** Another tab has taken over, because this one was silent for too long. */
  deposed(): void;
}

/** Elects one leader among the tabs of an origin, which stays until it leaves or its tab is gone. */
export interface Election {
  /** Waits to be elected. */
  stand(candidate: Candidate): void;
  /** Takes the lead from a leader that does not answer. */
  seize(): void;
  /** Gives up the lead, or the candidacy. */
  leave(): void;
}
