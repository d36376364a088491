// SPDX-License-Identifier: MIT
// rtad in the browser: the engine in the page, the element that plays documents, and the connection to a daemon.
export {createPageEngine, type PageEngine, type PageEngineOptions} from './engine/page_engine.js';
export {RtaPlayer} from './engine/player.js';
export {connectDaemon} from './remote/index.js';
