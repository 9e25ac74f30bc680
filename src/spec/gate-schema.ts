import { z } from "zod";
import { assert } from "../core/assert.ts";
import type { Field, FieldForm, NumberForm } from "../core/judge/fields.ts";
import { GATES } from "../core/judge/gates.ts";

function numberSchema({ least, most, isOpen, isWhole }: NumberForm): z.ZodType<number> {
  const base = isWhole === true ? z.int() : z.number();
  const low = isOpen === undefined ? base.min(least) : base.gt(least);
  return isOpen === "both" ? low.lt(most) : low.max(most);
}

function schemaOf(form: FieldForm): z.ZodType {
  switch (form.kind) {
    case "number":
      return numberSchema(form);
    case "by-share": {
      const bound = numberSchema(form.of);
      return z.strictObject({ under10: bound, under50: bound, from50: bound });
    }
    case "choice":
      return z.enum(form.values);
    default:
      return z.string().min(1);
  }
}

function fieldSchema({ form, isNullable }: Field<unknown>): z.ZodType {
  return isNullable ? schemaOf(form).nullable() : schemaOf(form);
}

/** The options of a gate as a document may write them, all of them optional: the preset in force supplies the rest. */
export type OptionsSchema = z.ZodObject<Readonly<Record<string, z.ZodType>>>;

const SCHEMAS: ReadonlyMap<string, OptionsSchema> = new Map(
  GATES.map(({ name, options }) => {
    const shape = Object.entries(options).map(([option, field]) => [option, fieldSchema(field).optional()] as const);
    return [name, z.strictObject(Object.fromEntries(shape))];
  }),
);

/** The schema of one kind of gate's options. */
export function optionsSchema(gate: string): OptionsSchema {
  const schema = SCHEMAS.get(gate);
  assert(schema !== undefined, `${gate} is a gate`);
  return schema;
}
