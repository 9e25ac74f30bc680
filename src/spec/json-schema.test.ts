import { describe, expect, it } from "vitest";
import { KNOWN_DRIVERS } from "../host/driver-registry.ts";
import { expectCheckedIn } from "../../test/checked-in-schema.ts";
import { documentSchemas } from "./json-schema.ts";

describe("schema/", () => {
  it.each(Object.entries(documentSchemas(KNOWN_DRIVERS)))(
    "%s is what the code says (UPDATE_SCHEMA=1 writes it)",
    (name, schema) => {
      expectCheckedIn(name, schema);
    },
  );

  it("refuses unknown keys and asks for the required ones", () => {
    const schema = JSON.stringify(documentSchemas(KNOWN_DRIVERS)["rollout.schema.json"]);
    expect(schema).toContain('"additionalProperties":false');
    expect(schema).toContain('"required":["service","stable","candidate","route","gates"]');
  });
});
