// SPDX-License-Identifier: MIT
// Debian's browsers, controlled by tests. Their environment has a HOME of its own.
//
// Environment: RTA_CHROMIUM and RTA_FIREFOX, the programs.
import {chromium} from 'playwright-core';
import puppeteer from 'puppeteer-core';

/** A busy machine starts browsers slowly. */
const PATIENCE_MS = 120_000;

export function launchChromium(options) {
  return chromium.launch({executablePath: process.env.RTA_CHROMIUM, timeout: PATIENCE_MS, ...options});
}

export function launchFirefox(options) {
  return puppeteer.launch({browser: 'firefox', executablePath: process.env.RTA_FIREFOX, headless: true, timeout: PATIENCE_MS, ...options});
}
