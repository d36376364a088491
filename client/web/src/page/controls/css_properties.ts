// SPDX-License-Identifier: MIT
import {nothing} from 'lit';
import {Directive, type ElementPart, type PartInfo, PartType, directive} from 'lit/directive.js';

type Properties = Readonly<Record<`--${string}`, string | number>>;

class CssProperties extends Directive {
  constructor(part: PartInfo) {
    super(part);
    if (part.type !== PartType.ELEMENT) throw new Error('cssProperties() must be on an element');
  }

  render(_properties: Properties): typeof nothing { return nothing; }

  override update({element}: ElementPart, [properties]: [Properties]): typeof nothing {
    const {style} = element as HTMLElement;
    for (const [name, value] of Object.entries(properties)) style.setProperty(name, String(value));
    return nothing;
  }
}

/**
 * Sets custom properties of an element: html`<i ${cssProperties({'--at': 0.5})}></i>`. The Content-Security-Policy refuses
 * style attributes.
 */
export const cssProperties = directive(CssProperties);
