// The socket to the server: JSON frames, sent in order, reopened when it breaks.

import { Events } from "./events.js";

const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

export class Socket {
  #socket = null;
  #waiting = [];
  #events = new Events();
  #hello;
  #retryMs = RETRY_MS;
  #closed = false;

  /** @param {() => object} hello makes the first frame of each connection */
  constructor(hello) {
    this.#hello = hello;
  }

  /** Call `listener(frame)` for each frame with this `op`; "up" and "down" tell of the connection itself. */
  on(op, listener) {
    return this.#events.on(op, listener);
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/page/socket`);
    this.#socket = socket;
    socket.onopen = () => {
      this.#retryMs = RETRY_MS;
      socket.send(JSON.stringify(this.#hello()));
      for (const frame of this.#waiting.splice(0)) socket.send(JSON.stringify(frame));
      this.#events.emit("up");
    };
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      this.#events.emit(frame.op, frame);
    };
    socket.onclose = () => this.#broken(socket);
  }

  /** Send a frame now, or once the socket is open. */
  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
    else this.#waiting.push(frame);
  }

  /** Close for good. */
  close() {
    this.#closed = true;
    this.#socket?.close();
  }

  #broken(socket) {
    if (this.#closed || socket !== this.#socket) return;
    this.#events.emit("down", { retryMs: this.#retryMs });
    setTimeout(() => this.connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }
}
