// SPDX-License-Identifier: MIT
import {type TemplateResult, html} from 'lit';

/** Returns a name that breaks between its words: after -, where browsers do so, _ and numbers, and before capitals. */
export function words(name: string): TemplateResult[] {
  return name.split(/(?<=_)|(?<=\d)(?=[A-Za-z])|(?<=[a-z])(?=[A-Z\d])/).map((word) => html`${word}<wbr>`);
}
