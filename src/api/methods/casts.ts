/** Methods that convert. */
import { isType } from '../../columnar/schema.js'
import type { DataType } from '../../columnar/type.js'
import type { CallMethod, CallMethods } from '../calls.js'
import { isPlainRecord, mismatch, show } from '../refusal.js'

const conversion: CallMethod = {
  of: ['number', 'string', 'boolean', 'time'],
  gives: 'typed',
  split: ([type], name) => [[], { type: typeIn(type, name) }],
}

export const castMethods: CallMethods = { cast: conversion, tryCast: conversion }

/** Columns of a record of handles, cast to the types that go by their names. @throws MillraceError */
export function castAll(columns: object, types: unknown): Record<string, unknown> {
  if (!isPlainRecord(types)) throw mismatch('cast', `cast takes an object of names to types, not ${show(types)}`)
  type Castable = { cast(type: unknown): unknown }
  return Object.fromEntries(
    Object.entries(types).map(([name, type]) => [name, (columns as Record<string, Castable>)[name].cast(type)]),
  )
}

/** @throws MillraceError `MR_TYPE_MISMATCH` for what is no type */
export function typeIn(type: unknown, name: string): DataType {
  if (isType(type)) return type
  throw mismatch(name, `${name} takes a type, as in int32(), not ${show(type)}`)
}
