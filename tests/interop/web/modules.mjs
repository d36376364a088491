// SPDX-License-Identifier: MIT
// The modules of the page, for tests without a browser.
//
// Environment: RTA_WEB_MODULES, the modules of client/web.
import path from 'node:path';
import {pathToFileURL} from 'node:url';

/** Imports a module of the page, such as `controls/units`. */
export function pageModule(name) {
  return import(pathToFileURL(path.join(process.env.RTA_WEB_MODULES, 'page', `${name}.js`)).href);
}
