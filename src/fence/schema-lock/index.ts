export {
  PIN_HEADERS,
  type PinDifference,
  type PinProblem,
  type Pins,
  type Serves,
} from "../../core/routing/schema-lock.ts";
export type { SchemaProblem } from "../../core/routing/schema-lock-problem.ts";
export { checkPins, checkServes, pinHeaders, type PinVerdict, readPins } from "./check-pins.ts";
export { type LockedHandler, schemaLock, type SchemaLockOptions } from "./schema-lock.ts";
