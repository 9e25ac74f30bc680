#!/usr/bin/env node
import { buildProgram } from "./program/program.ts";
import { runProgram } from "./run-program.ts";

process.exitCode = await runProgram(buildProgram, process.argv);
