// SPDX-License-Identifier: MIT
import './app.js';
import './patch/patch_view.js';
import {followTheme} from './theme.js';

followTheme();
