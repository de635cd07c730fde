import { z } from 'zod';

/** Every choice among codes that a schema can answer, wherever it stands in it. */
export const enumsIn = (schema: unknown): readonly (readonly string[])[] => {
  if (schema instanceof z.ZodEnum) return [schema.options.map(String)];
  if (schema instanceof z.ZodLiteral) return [[...schema.values].map(String)];
  if (schema instanceof z.ZodObject) return Object.values(schema.shape).flatMap(enumsIn);
  if (schema instanceof z.ZodArray) return enumsIn(schema.element);
  if (schema instanceof z.ZodRecord) return enumsIn(schema.valueType);
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(enumsIn);
  if (schema instanceof z.ZodNullable || schema instanceof z.ZodOptional) return enumsIn(schema.unwrap());
  return [];
};
