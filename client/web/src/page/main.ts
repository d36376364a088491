// SPDX-License-Identifier: MIT
import './app.js';
import './documents/documents.js';
import './mixer/mixer.js';
import './patch/patch_view.js';
import './stage/stage.js';
import {followTheme} from './theme.js';

followTheme();
