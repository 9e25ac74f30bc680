import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { contractSchemas } from "../../contract/json-schemas.ts";
import { documentSchemas } from "../../spec/json-schema.ts";
import { KNOWN_DRIVERS } from "../../host/driver-registry.ts";
import { expectCheckedIn, SCHEMA_FOLDER } from "../../../test/checked-in-schema.ts";
import { answerSchemas } from "./answer-schemas.ts";

describe("schema/", () => {
  it.each(Object.entries(answerSchemas()))("%s is what the code says (UPDATE_SCHEMA=1 writes it)", (name, schema) => {
    expectCheckedIn(name, schema);
  });

  it("has no file that nothing checks", () => {
    const checked = Object.keys({ ...documentSchemas(KNOWN_DRIVERS), ...answerSchemas(), ...contractSchemas() });
    expect(readdirSync(SCHEMA_FOLDER).sort()).toEqual(checked.sort());
  });
});
