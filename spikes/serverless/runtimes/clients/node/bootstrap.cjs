// Starts Node's runtime interface client as the managed runtime does, after the harness's mark.
"use strict";

const { closeSync, constants, openSync, writeSync } = require("node:fs");

const path = process.env.SPIKEBENCH_MARK;
if (path) {
  const pipe = openSync(path, constants.O_WRONLY);
  writeSync(pipe, "1");
  closeSync(pipe);
}

import("./index.mjs");
