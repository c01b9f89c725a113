/** How a Chromium of the tests is started. */

/**
 * Lists of the address bar: each window would load two pages for them, which cost two thirds of a
 * second of CPU; a page of ours costs less.
 */
const LISTS = ['WebUIOmniboxPopup', 'WebUIOmniboxAimPopup'];

/** The list of Playwright, in whose place Chromium takes a later one. */
const OF_PLAYWRIGHT = [
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
];

const flags = (disabled: string[]) => [
  '--disable-gpu',
  '--disable-background-networking',
  `--disable-features=${disabled.join()}`,
  // It refuses to run as root with its sandbox.
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
];

export const chromiumFlags = flags(LISTS);
export const playwrightFlags = flags([...OF_PLAYWRIGHT, ...LISTS]);
