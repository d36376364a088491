// SPDX-License-Identifier: MIT
// Objects have the form of proto3 JSON, with the field names of the .proto files. Objects that are returned also contain
// the fields with default values; an optional member is absent if it does not apply.
import type {
  CheckResult, Conflict, CreateCodeResult, Device, Event, FrequencyResponseResult, Graph, GraphContent, GraphResult, Guard, HelloResult,
  HistoryStep, JsonValue, Levels, MuteOutputResult, NodeType, OpenConfirmation, PanicResult, ParametersResult, PendingEdit,
  PortLevels, RecallSceneResult, Requests, ResetMetersResult, Results, SceneInfo, SceneResult, SetDeviceResult,
  SetVolumeResult, StatusResult, SubscribeResult, TimeResult, Topic, TransactionResult, Uint64, UndoResult, When,
} from '../generated/messages.js';

export type * from '../generated/messages.js';

/** What requests accept in place of T: fields may be omitted, and 64-bit numbers may be text. */
export type Input<T> =
  [T] extends [Uint64] ? (bigint extends T ? number | bigint | string : T) :
  T extends readonly (infer E)[] ? readonly Input<E>[] :
  T extends object ? (string extends keyof T ? T : {[K in keyof T]?: Input<T[K]>}) :
  T;

/** An output port to be measured. */
export type Watch = string | {port: string; spectrum?: boolean};

/** A request with exactly one kind, such as {get_status: {}}. */
export type AnyRequest = {[K in keyof Requests]: {[P in K]: Input<Requests[P]>} & {timeout_ms?: number}}[keyof Requests];

/** Codes of the protocol. */
export type ErrorCode = 'INVALID_ARGUMENT' | 'DEADLINE_EXCEEDED' | 'NOT_FOUND' | 'ALREADY_EXISTS' | 'PERMISSION_DENIED' |
  'RESOURCE_EXHAUSTED' | 'FAILED_PRECONDITION' | 'ABORTED' | 'UNIMPLEMENTED' | 'INTERNAL' | 'UNAVAILABLE' | 'UNAUTHENTICATED' |
  number;

/** Why a call failed. Every promise of this library rejects with it, or with the reason of an aborted signal. */
export class RtaError extends Error {
  constructor(code: ErrorCode, message: string,
              details?: {editIndex?: number; result?: unknown; conflict?: Conflict; cause?: unknown});
  name: 'RtaError';
  code: ErrorCode;
  /** Index, from 0, of the edit of a transaction, or of the change of set(), that was refused. */
  editIndex?: number;
  /** What the daemon returned together with the error: the change is committed, but was not confirmed in time. */
  result?: unknown;
  /** What the guard of the request has found, if it does not hold (ABORTED). */
  conflict?: Conflict;
}

export const TOPICS: readonly Topic[];

/** Bytes in, bytes out: a connection to a daemon. */
export interface Transport {
  /** Resolves to the next bytes, or to null at the end. Is called again only after it has resolved. */
  read(): Promise<Uint8Array | null>;
  /** Resolves when the bytes were handed to the system. May be called again before. */
  write(bytes: Uint8Array): Promise<void>;
  /** Disconnects. A pending read() resolves or rejects. */
  close(): void;
}

export interface ConnectOptions {
  /** Shown to other clients and in the daemon's log; at most 128 bytes, printable. */
  name?: string;
  /** Access token, or "code:" and a one-time code. Blanks around it, such as the line end of its file, are ignored. */
  token?: string;
  /** Limit for connecting, and for each call, in ms. Default: 10000. */
  deadlineMs?: number;
  /** Cancels connecting. */
  signal?: AbortSignal;
}

/** Takes what a session receives. */
export interface SessionListener {
  /** Takes an event, and its size in bytes, by which unread events are bounded. */
  deliver(event: Event, bytes: number): void;
  /** Returns whether every reader of events is behind: the session then drops telemetry, until resume(). */
  full(): boolean;
  /** Must be called once, when the session ends. */
  end(error: Error): void;
}

/** Answers requests in place of a connection to a daemon, for example by an engine in the same program. */
export interface Session {
  /** Is called first. Resolves to the result of hello. */
  greet(greeting: {name: string; token: string; deadlineMs: number; signal?: AbortSignal}): Promise<HelloResult>;
  /** Answers a request, in order. Resolves to the result of its kind; rejects with RtaError, or with the reason of the signal. */
  call(request: AnyRequest, options: {deadlineMs: number; signal?: AbortSignal}): Promise<unknown>;
  /** full() of the listener may have changed. */
  resume(): void;
  /** Ends the session: pending calls reject with the error. */
  close(error: Error): void;
}

/**
 * Connects over the transport that `open` opens, or by the session that it provides. `peer` names the daemon in errors.
 * `signal` is aborted when opening takes too long.
 */
export function connectOver(
  open: (signal: AbortSignal) => Promise<
    {transport: Transport; peer: string; fingerprint?: string | null} |
    {session: (listener: SessionListener) => Session; peer: string}>,
  options?: ConnectOptions): Promise<Client>;

/**
 * Returns the kind of a request, and the request as a daemon receives it: with all fields, and floats rounded. Throws RtaError
 * if it is not a request. For a Session of another kind.
 */
export function requestAsReceived(request: AnyRequest): {kind: keyof Requests; request: Partial<Requests>};
/** Returns a message of a daemon as a client receives it, and its size in bytes. For a Session of another kind. */
export function messageAsReceived(message: {response?: object; event?: object}):
  {response?: {[kind: string]: unknown}; event?: Event; bytes: number};

export interface CallOptions {
  /** Limit for this call, in ms. The request may take effect nevertheless. Default: that of connect(), plus timeout_ms. */
  deadlineMs?: number;
  /** Gives up waiting for the response. The request may take effect nevertheless. */
  signal?: AbortSignal;
}

export interface EditOptions extends CallOptions {
  /** How long the daemon may wait for room in the engine, and for the start of a transaction; see Request.timeout_ms. */
  timeout_ms?: number;
  /** What the graph must not have become in the meantime, such as {expected_change: graph.change_number}. */
  guard?: Input<Guard>;
  /**
   * When the change takes effect, at most 24 hours ahead: {in_s: 2}, {frame}, {utc_us} or a Date. The call resolves immediately,
   * and `pending` of its result has the id. The daemon keeps the change in memory.
   */
  at?: Input<When> | Date;
}

/** Of an edit that the daemon reverts unless confirm() comes in time: also if this client vanishes. */
export interface ConfirmationOptions {
  /** Time until the edit is reverted, 1 to 600. The result has `confirmation`. Not together with `at`. */
  confirm_within_s?: number;
}

export interface UndoOptions extends Omit<EditOptions, 'at'>, ConfirmationOptions {
  /** 1 to 1000; default: 1. */
  steps?: number;
  /** Also what others have changed since in the same places. */
  force?: boolean;
  /** Also steps of other authors. */
  of_all?: boolean;
  /** Resolve when the change begins to be heard, not at the commit. */
  wait_for_start?: boolean;
}

/** A new value, or a change of a value: {value}, {add} or {toggle: true}. */
export type ParameterValue = number | boolean | {value?: number; add?: number; toggle?: true; ramp_ms?: number};

/** Values by NODE.PARAMETER, such as {"osc.gain_db": -6}. */
export type ParameterValues = {readonly [parameter: string]: ParameterValue};

/** Collects the edits of a transaction, in order. */
export interface Transaction {
  add(type: string, name: string, parameters?: {readonly [name: string]: number | boolean},
      settings?: {readonly [name: string]: JsonValue}): this;
  remove(...names: string[]): this;
  rename(name: string, new_name: string): this;
  /** Ports are NODE:PORT, or NODE if it has only one in that direction. The gain of an existing connection is changed. */
  connect(from: string, to: string, gain_db?: number): this;
  disconnect(from: string, to: string): this;
  set(values: ParameterValues, options?: {ramp_ms?: number}): this;
  /** Changes settings of a node, which rebuilds it with a crossfade. */
  changeSettings(node: string, settings: {readonly [name: string]: JsonValue}): this;
  /** Sets the title or the description of a node, or of the graph if `node` is "". */
  describe(node: string, texts: {title?: string; description?: string}): this;
  /** Switches latency compensation on or off. */
  setLatencyCompensation(enabled?: boolean): this;
  /** Adds an edit in the form of the protocol, such as {remove_node: {name: "osc"}}. */
  edit(edit: object): this;
}

/** A change of the graph: a function that collects edits, a whole graph, or the text of a document. */
export type Change = ((transaction: Transaction) => unknown) | Input<Graph> | string;

/** A client of one daemon. After the connection was lost, the next call connects again; requests are never sent twice. */
export class Client {
  private constructor();
  /**
   * Response of the daemon to the latest hello. After a one-time code, its `session_token` lets a program enter again; the
   * client itself uses it when it connects again.
   */
  readonly hello: HelloResult;
  /** Address of the daemon. */
  readonly peer: string;
  /** Fingerprint of the daemon's certificate; null without TLS. */
  readonly fingerprint: string | null;
  readonly connected: boolean;
  readonly closed: boolean;

  /** Sends any request, such as {get_status: {}}, and resolves to its result. Calls need not wait for each other. */
  call<R extends AnyRequest>(request: R, options?: CallOptions): Promise<Results[Extract<keyof R, keyof Results>]>;

  status(options?: CallOptions): Promise<StatusResult>;
  /** Lists the sound cards. */
  devices(options?: CallOptions): Promise<Device[]>;
  /** Describes one node type, or all. */
  nodeTypes(type?: string, options?: CallOptions): Promise<NodeType[]>;
  /** Returns the graph as a message and as document text, or only one of them, or only some nodes. */
  graph(options?: CallOptions & {content?: GraphContent; nodes?: readonly string[]}): Promise<GraphResult>;

  /** Changes the graph as a whole, or not at all. With wait_for_start, resolves when the change begins to be heard. */
  transaction(change: Change, options?: EditOptions & ConfirmationOptions & {wait_for_start?: boolean}):
    Promise<TransactionResult>;
  /** Replaces the graph by that of a document. Nodes of the same name, type and settings continue. */
  load(document: Input<Graph> | string, options?: EditOptions & ConfirmationOptions & {wait_for_start?: boolean}):
    Promise<TransactionResult>;
  /** Validates a change of the graph without committing it. */
  check(change: Change, options?: CallOptions & {with_graph?: boolean; with_diff?: boolean; guard?: Input<Guard>}):
    Promise<CheckResult>;
  /** Changes parameters, all in one block. `ramp_ms` applies to the values without their own. */
  set(values: ParameterValues, options?: EditOptions & {ramp_ms?: number}): Promise<ParametersResult>;

  /** Undoes the latest changes of the graph by the author of this client, as one transaction. */
  undo(options?: UndoOptions): Promise<UndoResult>;
  /** Applies again what the author has undone, the latest undone first. */
  redo(options?: UndoOptions): Promise<UndoResult>;
  /** Keeps the edit that waits for its confirmation; `id`: only this one. status() has it as `confirmation`. */
  confirm(options?: CallOptions & {id?: Input<Uint64>}): Promise<OpenConfirmation>;
  /** Reverts the edit that waits for its confirmation now. */
  revert(options?: CallOptions & {id?: Input<Uint64>; wait_for_start?: boolean; timeout_ms?: number}):
    Promise<UndoResult>;
  /** Returns the changes of all authors, the latest first; `before`: only those before this number. */
  history(options?: CallOptions & {steps?: number; before?: Input<Uint64>; with_edits?: boolean}):
    Promise<HistoryStep[]>;

  /** Mutes the device output, or unmutes it. */
  mute(muted?: boolean, options?: CallOptions): Promise<MuteOutputResult>;
  unmute(options?: CallOptions): Promise<MuteOutputResult>;
  /** Mutes the device output, and resets every processor. */
  panic(options?: CallOptions): Promise<PanicResult>;
  /** Sets the volume of the device output, in dB, or changes it by add_db. Without a change, returns it. */
  volume(change?: number | {volume_db?: number; add_db?: number}, options?: CallOptions): Promise<SetVolumeResult>;
  /** Relates the engine's sample clock to CLOCK_MONOTONIC and UTC. */
  time(options?: CallOptions): Promise<TimeResult>;
  /** Resolves to the edits that wait for their time, the earliest first. */
  pending(options?: CallOptions): Promise<PendingEdit[]>;
  /** Cancels an edit that waits for its time. */
  cancel(id: Input<Uint64>, options?: CallOptions): Promise<PendingEdit>;
  /** Saves the graph as a scene, or only these nodes, with the connections between them. Replaces a scene of that name. */
  saveScene(name: string, options?: CallOptions & {nodes?: readonly string[]}): Promise<SceneInfo>;
  /**
   * Makes the graph that of a scene, as one transaction. `fade_ms`: time in which parameters, and gains of connections,
   * reach its values. `force`: if the edit of another author waits for its confirmation, also revert that, in the same transaction.
   */
  recallScene(name: string, options?: EditOptions & ConfirmationOptions & {fade_ms?: number; wait_for_start?: boolean; force?: boolean}):
    Promise<RecallSceneResult>;
  /** Resolves to all scenes, sorted by name. */
  scenes(options?: CallOptions): Promise<SceneInfo[]>;
  renameScene(name: string, new_name: string, options?: CallOptions): Promise<SceneInfo>;
  /** Removes a scene. The graph does not change. */
  removeScene(name: string, options?: CallOptions): Promise<SceneInfo>;
  /** Returns the graph of a scene, and in `diff` the edits with which a recall would change the current graph. */
  scene(name: string, options?: CallOptions & {with_graph?: boolean; with_diff?: boolean}): Promise<SceneResult>;
  /** Computes the frequency response of a node, or of a path. */
  response(of: string | {node: string} | {from: string; to: string; from_channel?: number; to_channel?: number},
           options?: CallOptions & {frequencies_hz?: readonly number[]}): Promise<FrequencyResponseResult>;
  /** Changes the device; without `device`, opens the requested one again. */
  setDevice(device?: string, options?: CallOptions): Promise<SetDeviceResult>;
  /**
   * Creates a one-time code, with which another client may enter within 2 minutes: "code:" and the code as its token. Without
   * `role`, it has that of this client.
   */
  createCode(role?: string, options?: CallOptions): Promise<CreateCodeResult>;
  /** Restarts the measurement of loudness. */
  resetMeters(nodes?: readonly string[], options?: CallOptions): Promise<ResetMetersResult>;

  /**
   * Subscribes to events, after all earlier calls. Default: all topics except TOPIC_NODE_LOADS, or none with `watches`, the
   * output ports whose levels are sent as `port_levels`: "node:port", or "node" for its only output. One connection has one
   * rate of telemetry: the highest that its streams ask for. The stream ends with an error when the connection is lost.
   */
  events(options?: {topics?: readonly Topic[]; telemetry_rate_hz?: number; watches?: readonly Watch[]; signal?: AbortSignal}):
      EventStream;
  /** Subscribes to levels, and returns them. */
  meters(options?: {telemetry_rate_hz?: number; signal?: AbortSignal}): AsyncGenerator<Levels, void, undefined>;
  /** Subscribes to the levels of output ports, and returns them. */
  portLevels(watches: readonly Watch[], options?: {telemetry_rate_hz?: number; signal?: AbortSignal}):
      AsyncGenerator<PortLevels, void, undefined>;
  /** Resolves to a live copy of the graph, which survives lost connections and restarts of the daemon. */
  mirror(options?: {signal?: AbortSignal}): Promise<Mirror>;

  /** Disconnects. Pending calls, events and mirrors end with an error. */
  close(): void;
}

/**
 * Holds up to 4096 unread events, and 8 MiB. Beyond, the oldest telemetry is dropped; if none exists, the stream ends
 * with RESOURCE_EXHAUSTED. While every stream of the client has 256 unread events or 1 MiB, the client reads only if a call
 * is pending, so that the daemon drops telemetry.
 */
export interface EventStream extends AsyncIterableIterator<Event> {
  /** Resolves when the daemon has subscribed the client. */
  readonly ready: Promise<SubscribeResult>;
  /** Number of telemetry events that this stream has dropped. */
  readonly dropped: number;
  return(): Promise<IteratorResult<Event, undefined>>;
}

export interface MirrorNode {
  name: string;
  type: string;
  /** All settings, including defaults. */
  settings: {[name: string]: JsonValue};
  /** All parameters, including defaults. While a parameter is ramping: its target. */
  parameters: {[name: string]: number};
  title: string;
  description: string;
}

/** The graph as a program needs it. Read only. */
export interface MirrorGraph {
  readonly nodes: ReadonlyMap<string, Readonly<MirrorNode>>;
  /** By "FROM TO"; both are NODE:PORT. */
  readonly connections: ReadonlyMap<string, Readonly<{from: string; to: string; gain_db: number}>>;
  readonly latency_compensation: boolean;
  readonly title: string;
  readonly description: string;
}

/** A live copy of the graph. */
export class Mirror {
  private constructor();
  readonly graph: MirrorGraph;
  readonly revision: Uint64;
  /** Number of the latest change in the graph. */
  readonly change_number: Uint64;
  /** Instance of the daemon: changes when it is started again. */
  readonly instance_id: string;
  /** false while the connection is lost: the graph is as it was then. */
  readonly connected: boolean;
  /** Why the mirror has ended: the daemon refuses this client, the client is closed, or the signal is aborted. */
  readonly error: Error | null;
  /** How often the graph was read. */
  readonly reads: number;
  /** How often a connection was resumed without reading the graph. */
  readonly resumes: number;
  /** Yields this mirror now, and whenever it has changed. Changes in quick succession are yielded once. */
  changes(): AsyncGenerator<Mirror, void, undefined>;
  /** Stops following the daemon. */
  close(): void;
}
