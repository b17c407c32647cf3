/** Says at the very end, where nobody overlooks it, which suites did not run and what they need. */
export default class SkippedSuitesReporter {
  onRunComplete(_contexts, results) {
    const titles = results.testResults.flatMap((file) =>
      file.testResults
        .filter((test) => test.status === 'pending')
        .map((test) => test.ancestorTitles.find((title) => title.includes('[SKIPPED, ')))
        .filter(Boolean),
    );
    for (const title of new Set(titles)) process.stderr.write(`\n*** NOT TESTED: ${title}\n`);
  }
}
