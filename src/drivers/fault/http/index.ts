export { httpFaultAgent } from "./driver.ts";
