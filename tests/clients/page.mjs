// A Sheaf page as JavaScript sees it: how to read one, and the edits an ordinary application would make.
//
// A string is a scalar (ImmutableString) where it is a register, and a Text where people type together. Readers take
// both, because an assignment in JavaScript always makes a Text.

import { ImmutableString, getHeads, splice } from "@automerge/automerge"

const word = value => (value == null ? null : String(value))

/** The heads in hex, sorted, so that two replicas can be compared. */
export const heads = doc => [...getHeads(doc)].sort()

/** What a reader sees: {title, blocks: {id: {type, text, place, deleted_at?}}}. */
export function view(doc) {
  const blocks = {}
  for (const [id, block] of Object.entries(doc.blocks ?? {})) {
    blocks[id] = { type: word(block.type), text: word(block.text) ?? "", place: word(block.place) }
    if (block.deleted_at != null) blocks[id].deleted_at = block.deleted_at
  }
  return { title: word(doc.title) ?? "", blocks }
}

/** Types text into a block; positions are UTF-16 units. */
export const insert = (doc, { block, pos, text }) => splice(doc, ["blocks", block, "text"], pos, 0, text)

/** Deletes `len` units of a block's text. */
export const remove = (doc, { block, pos, len }) => splice(doc, ["blocks", block, "text"], pos, len)

/** Replaces the title by editing its Text, as a text field bound to it does. */
export const setTitle = (doc, { title }) => splice(doc, ["title"], 0, word(doc.title).length, title)

/** Adds a block; `place` is "<parent or empty>|<order key>". */
export function addBlock(doc, { id, type, text = "", place }) {
  doc.blocks[id] = { type: new ImmutableString(type), place: new ImmutableString(place), text, props: {} }
}

/** Hangs a block somewhere else. */
export function move(doc, { block, place }) {
  doc.blocks[block].place = new ImmutableString(place)
}
