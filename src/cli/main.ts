#!/usr/bin/env node
import { endWithParent } from "../host/end-with-parent.ts";
import { buildProgram } from "./program/program.ts";
import { runProcess } from "./run-program.ts";

endWithParent();
await runProcess(buildProgram);
