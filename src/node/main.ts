#!/usr/bin/env node
import { buildProgram } from "../cli/program/program.ts";
import { runProgram } from "../cli/run-program.ts";

process.exitCode = await runProgram(buildProgram, process.argv);
