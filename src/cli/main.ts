#!/usr/bin/env node
import { endWithParent } from "../host/end-with-parent.ts";
import { buildProgram } from "./program/program.ts";
import { runProgram } from "./run-program.ts";

endWithParent();
process.exitCode = await runProgram(buildProgram, process.argv);
