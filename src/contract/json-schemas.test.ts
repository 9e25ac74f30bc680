import { describe, it } from "vitest";
import { expectCheckedIn } from "../../test/checked-in-schema.ts";
import { contractSchemas } from "./json-schemas.ts";

describe("schema/", () => {
  it.each(Object.entries(contractSchemas()))(
    "%s is what the contract says (UPDATE_SCHEMA=1 writes it)",
    (name, schema) => {
      expectCheckedIn(name, schema);
    },
  );
});
