// SPDX-License-Identifier: MIT
import './app.js';
import {followTheme} from './theme.js';

followTheme();
