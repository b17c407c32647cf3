/**
 * Errors that concern the server and not what it was asked for: another connection may lead to another server, which has
 * no reason to refuse.
 */
const ELSEWHERE = /^(READONLY|MOVED|ASK|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|LOADING|NOSCRIPT|UNBLOCKED)\b/;

/** How errors that Redis itself answers with begin. */
const REFUSAL = /^[A-Z]+ /;

/** Whether Redis itself has refused a command. Otherwise it is not known what has become of it. */
export function isRefusal(trouble: string): boolean {
  return REFUSAL.test(trouble);
}

/** Whether another server may do what this one has refused. */
export function isElsewhere(trouble: string): boolean {
  return ELSEWHERE.test(trouble);
}
