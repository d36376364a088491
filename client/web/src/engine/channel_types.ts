// SPDX-License-Identifier: MIT
// How a PageServer reaches an engine, and what they exchange. docs/decisions/0028-page-engine.md describes commands and events.

/** Commands to an engine, and its events. */
export interface EngineChannel {
  /** Sends a command. Resolves to its reply, in order. */
  send(command: object): Promise<object>;
  /** Takes the events of the engine. Replies and events arrive in their order. */
  onEvent: (event: object) => void;
  /** Ends the engine. */
  close(error?: Error): void;
}

/** An error of the engine. */
export interface EngineError {
  code: string;
  message: string;
  edit_index?: number;
  conflict?: object;
}

/** A reply of the engine. */
export interface EngineReply {
  result?: {[name: string]: unknown};
  error?: EngineError;
  /** The command of the engine that must be applied; see the event `applied`. */
  serial?: number;
  /** The error may not occur later. */
  retry?: boolean;
  /** After the command. */
  revision: number;
  change_number: number;
}

/** An event of the engine. Those with a number are changes, in the form of the protocol. */
export interface EngineEvent {
  number?: number;
  applied?: {serial: number; frame: number};
  panic_failed?: EngineError;
  panicked?: {frame: number};
  transaction_heard?: {revision: number; frame: number};
  levels?: object;
  port_levels?: EnginePortLevels;
}

/** PortLevels, with the magnitudes of spectra as the bytes of 32-bit floats in base64. */
export interface EnginePortLevels {
  frame: number;
  frame_count: number;
  ports: {
    port: string;
    channels: {peak_db: number; rms_db: number}[];
    spectra?: {band_hz: number; magnitudes_db: string}[];
  }[];
}
