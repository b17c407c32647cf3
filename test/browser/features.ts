/** What Playwright switches off on Linux: the browser heeds the last list alone, so ours has to have its own as well. */
const BY_PLAYWRIGHT = [
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'HttpsFirstBalancedModeAutoEnable',
  'LensOverlay',
  'MediaRouter',
  'PaintHolding',
  'ThirdPartyStoragePartitioning',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'OptimizationHints',
  'NetworkTimeServiceQuerying',
  'AimEnabled',
  'PreconnectToSearch',
] as const;

/**
 * The list below the address bar is a page with a renderer of its own in each window, and so costs more than the page that
 * a test is about. A renderer kept ready for the next site is never used where each test has a window of its own.
 */
const IDLE = [
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'WebUIOmniboxFullPopup',
  'SpareRendererForSitePerProcess',
] as const;

/** The argument that leaves out of the browser what nobody sees in a test. */
export const WITHOUT_IDLE_FEATURES = `--disable-features=${[...BY_PLAYWRIGHT, ...IDLE].join(',')}`;
