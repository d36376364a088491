// SPDX-License-Identifier: MIT
// The page in Chromium. All tests run in this process, one after the other, so that they share a browser and a sound server.
import './capture.mjs';
import './start.mjs';
import './panel.mjs';
import './documents.mjs';
import './faults.mjs';
import './controls.mjs';
import './access.mjs';
