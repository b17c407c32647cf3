import { MEASURES, type Finding } from './measure/verdict.js';
import type { Soaked } from './soak.js';

/** Whether a soak shows nothing wrong. */
export function hasPassed({ findings, faultCount }: Soaked): boolean {
  return faultCount === 0 && findings.every(({ fault }) => fault === undefined);
}

/** What came out of a soak, as Markdown. */
export function reportOf(soaked: Soaked): string {
  const { counts, cpu, faults, faultCount, findings } = soaked;
  const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;
  const lines = [
    '| | start | end | change | growth in 10 min beyond idle | idle | |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...findings.map(rowOf),
    '',
    `CPU: ${percent(cpu.loaded)} of a core for the hub, ${percent(cpu.idle)} for the idle one, ${percent(cpu.load)} for the load.`,
    Object.entries(counts)
      .toSorted(([left], [right]) => left.localeCompare(right))
      .map(([what, count]) => `${what}: ${count}`)
      .join(', '),
    `${faultCount} faults`,
    ...faults.map((fault) => `- ${fault}`),
    hasPassed(soaked) ? 'PASSED' : 'FAILED',
  ];
  return lines.join('\n');
}

function rowOf({ measure, start, end, change, growth, idleGrowth, margin, fault, isExact }: Finding): string {
  const isMemory = measure === 'heap' || measure === 'resident';
  const amount = (value: number): string => (isMemory ? `${(value / 1024 ** 2).toFixed(1)} MB` : String(value));
  const signed = (part: number): string => `${part < 0 ? '−' : '+'}${Math.abs(100 * part).toFixed(2)} %`;
  const known = `± ${(100 * margin).toFixed(2)}${isExact ? '' : ', too short a run to say'}`;
  const cells = [
    MEASURES[measure],
    amount(start),
    amount(end),
    signed(change),
    `${signed(growth)} (${known})`,
    signed(idleGrowth),
    fault ?? 'good',
  ];
  return `| ${cells.join(' | ')} |`;
}
