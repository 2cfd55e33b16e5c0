// The page's module loader as other clients use it: `require(name)` gives the state and the messages in memory.
//
// The real page has thousands of modules; here stand the few that are asked for from outside.

import { messageModel } from "./fiber.js";

const REQUIRE_ERROR = "Requiring unknown module";

/**
 * Install `require` and `importNamespace` on the window.
 *
 * @param {{mode: () => string, available: () => boolean, messages: () => Map<string, object>}} parts
 */
export function installModules({ mode, available, messages }) {
  const Stream = {
    get mode() {
      return mode();
    },
    get available() {
      return available();
    },
  };
  const Socket = {
    get state() {
      return mode() === "QR" ? "UNPAIRED" : "CONNECTED";
    },
    get stream() {
      return mode() === "MAIN" ? "CONNECTED" : "SYNCING";
    },
    get hasSynced() {
      return mode() === "MAIN";
    },
  };
  // Only what was shown since the start is in memory: the last message of each chat, and those of opened ones.
  const Msg = {
    get: (id) => modelOf(messages().get(String(id))),
    getModelsArray: () => [...messages().values()].map(modelOf),
  };
  const modules = {
    WAWebCollections: { Msg },
    WAWebMsgCollection: { MsgCollection: Msg },
    WAWebSocketModel: { Socket },
    WAWebStreamModel: { Stream },
  };
  const load = (name) => {
    if (name === "__debug") return { modulesMap: modules };
    if (name === "ifRequireable") return (id, found, missing) => (id in modules ? found(modules[id]) : missing?.());
    if (name in modules) return modules[name];
    throw new Error(`${REQUIRE_ERROR} "${name}"`);
  };
  window.require = load;
  window.importNamespace = load;
}

function modelOf(row) {
  return row && messageModel(row);
}
