// SPDX-License-Identifier: MIT
// What the input nodes of the graph receive: the microphone, and a sound file.
import {RtaError} from 'rta-client/core';
import {messageOf} from './platform.js';

/** Signals as they are: no processing for telephone calls. */
const MICROPHONE: MediaTrackConstraints = {echoCancellation: false, noiseSuppression: false, autoGainControl: false};
const BACK_AFTER_MS = 1000;

/** Connects sources with the input of the engine. `changed` is called when one of them ends or comes back. */
export class Inputs {
  /** Why the microphone that is on is silent: a sentence, or ''. */
  microphoneProblem = '';
  #context: AudioContext;
  #target: AudioNode;
  #changed: () => void;
  #microphone: MediaStreamAudioSourceNode | null = null;
  #microphoneWanted = false;
  #file: AudioBufferSourceNode | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(context: AudioContext, target: AudioNode, changed: () => void) {
    this.#context = context;
    this.#target = target;
    this.#changed = changed;
  }

  get microphoneOn(): boolean { return this.#microphoneWanted; }
  get filePlays(): boolean { return this.#file !== null; }

  /** Switches the microphone on or off. The browser asks the user. It is opened again when it was disconnected. */
  async microphone(on: boolean): Promise<void> {
    this.#microphoneWanted = on;
    this.#closeMicrophone();
    this.microphoneProblem = '';
    if (!on) return;
    try {
      await this.#openMicrophone();
    } catch (error) {
      this.#microphoneWanted = false;
      throw error;
    }
  }

  /** Plays a sound file, or an AudioBuffer, in place of the previous one; null stops it. */
  async playFile(file: Blob | ArrayBuffer | AudioBuffer | null, {loop = true}: {loop?: boolean} = {}): Promise<void> {
    const buffer = file === null || file instanceof AudioBuffer ? file : await this.#decode(file);
    this.#file?.stop();
    this.#file?.disconnect();
    this.#file = null;
    if (buffer === null) return;
    const source = new AudioBufferSourceNode(this.#context, {buffer, loop});
    source.onended = () => {
      if (this.#file !== source) return;
      this.#file = null;
      this.#changed();
    };
    source.connect(this.#target);
    source.start();
    this.#file = source;
  }

  close(): void {
    this.#microphoneWanted = false;
    this.#closeMicrophone();
    this.#file?.disconnect();
    this.#file = null;
  }

  async #decode(file: Blob | ArrayBuffer): Promise<AudioBuffer> {
    const bytes = file instanceof Blob ? await file.arrayBuffer() : file.slice(0);
    return this.#context.decodeAudioData(bytes).catch((error: unknown) => {
      throw new RtaError('INVALID_ARGUMENT', `cannot decode the file${file instanceof File ? ` "${file.name}"` : ''}: ` +
        'expected a sound file in a format of this browser, such as WAV, FLAC, MP3 or Ogg', {cause: error});
    });
  }

  async #openMicrophone(): Promise<void> {
    const {mediaDevices} = navigator;
    if (mediaDevices === undefined) {
      throw new RtaError('UNAVAILABLE', 'the browser gives this page no microphone: expected https:// or http://localhost');
    }
    const stream = await mediaDevices.getUserMedia({audio: MICROPHONE}).catch((error: unknown) => {
      throw microphoneError(error);
    });
    if (!this.#microphoneWanted || this.#microphone) return stream.getTracks().forEach((track) => track.stop());
    this.#microphone = this.#context.createMediaStreamSource(stream);
    this.#microphone.connect(this.#target);
    for (const track of stream.getAudioTracks()) track.onended = () => this.#lost();
    this.microphoneProblem = '';
    return undefined;
  }

  #lost(): void {
    this.#closeMicrophone();
    this.microphoneProblem = 'The microphone was disconnected. It is used again when it is back.';
    this.#changed();
    this.#reopen();
  }

  #reopen(): void {
    this.#retry = setTimeout(() => {
      this.#openMicrophone().then(() => this.#changed(), () => { if (this.#microphoneWanted) this.#reopen(); });
    }, BACK_AFTER_MS);
  }

  #closeMicrophone(): void {
    clearTimeout(this.#retry);
    for (const track of this.#microphone?.mediaStream.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#microphone?.disconnect();
    this.#microphone = null;
  }
}

/** Returns why getUserMedia() has failed, and what helps. */
function microphoneError(error: unknown): RtaError {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError': case 'SecurityError':
      return new RtaError('PERMISSION_DENIED', 'the microphone was refused: allow it for this page in the browser', {cause: error});
    case 'NotFoundError':
      return new RtaError('NOT_FOUND', 'no microphone was found: connect one, or select one in the system', {cause: error});
    case 'NotReadableError': case 'AbortError':
      return new RtaError('UNAVAILABLE', 'the microphone does not open: another program may use it, or the system refuses it', {cause: error});
    default:
      return new RtaError('UNAVAILABLE', `cannot open a microphone: ${messageOf(error)}`, {cause: error});
  }
}
