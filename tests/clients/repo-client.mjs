// A stock automerge-repo client that a test drives: JSON lines in on stdin, JSON lines out on stdout.
//
//   node repo-client.mjs --url ws://…/ws/documents/<id>?token=… [--doc automerge:…] [--retry-ms 5000] [--quiet]
//
// Nothing here is adapted to Sheaf but the shape of a page, so what passes with it passes with anybody's client.
// Every command gets exactly one {"reply":cmd,"ok":…}, in the order of arrival except for "find" and "wait", which may
// take long; a "tag" in the command comes back in its reply. What happens by itself is an {"event":…}. The process
// ends only on "quit" or when stdin closes.

import { Repo } from "@automerge/automerge-repo"
import { WebSocketClientAdapter } from "@automerge/automerge-repo-network-websocket"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import * as page from "./page.mjs"

const { values: args } = parseArgs({
  options: {
    url: { type: "string" },
    doc: { type: "string" },
    "retry-ms": { type: "string", default: "5000" },
    quiet: { type: "boolean", default: false },
  },
})

const say = line => process.stdout.write(JSON.stringify(line) + "\n")
const fail = (error, more = {}) => say({ event: "error", message: String(error?.message ?? error), ...more })

// automerge-repo 2.5 throws from its socket handlers (a 401 at the upgrade, a reset connection). A test wants to read
// that, and a real application would survive it, so the client goes on.
process.on("uncaughtException", error => fail(error, { uncaught: true }))
process.on("unhandledRejection", error => fail(error, { uncaught: true }))
// The library talks on the console; stdout belongs to the protocol.
console.log = console.info = console.debug = console.error

const network = new WebSocketClientAdapter(args.url, Number(args["retry-ms"]))
network.on("peer-candidate", ({ peerId, peerMetadata }) => say({ event: "peer", peer: peerId, metadata: peerMetadata ?? null }))
network.on("peer-disconnected", ({ peerId }) => say({ event: "peer_gone", peer: peerId }))
const repo = new Repo({ network: [network] })

/** The pages found so far by url; a command without "doc" means the last one. */
const pages = new Map()
let current

function handleFor(command) {
  const handle = command.doc ? pages.get(command.doc) : current
  if (!handle) throw new Error("no page found yet")
  return handle
}

function watch(handle) {
  handle.on("ephemeral-message", ({ senderId, message }) => say({ event: "ephemeral", doc: handle.url, from: senderId, value: message }))
  handle.on("delete", () => say({ event: "deleted", doc: handle.url }))
  if (!args.quiet) handle.on("change", () => say({ event: "changed", doc: handle.url, heads: page.heads(handle.doc()) }))
}

async function find(url) {
  try {
    const handle = await repo.find(url)
    if (!pages.has(url)) watch(handle)
    pages.set(url, handle)
    current = handle
    say({ event: "ready", doc: url })
  } catch (error) {
    say({ event: "unavailable", doc: url, message: String(error?.message ?? error) })
    throw error
  }
}

/** Resolves when the block's text contains the text; a page may change long after it was found. */
function wait(handle, { block, contains, timeout_ms = 10_000 }) {
  return new Promise((resolve, reject) => {
    const seen = () => page.view(handle.doc()).blocks[block]?.text
    const done = end => (clearTimeout(timer), handle.off("change", check), end())
    const check = () => seen()?.includes(contains) && done(() => resolve({ text: seen() }))
    const late = () => done(() => reject(new Error(`timed out; the block reads ${JSON.stringify(seen() ?? null)}`)))
    const timer = setTimeout(late, timeout_ms)
    handle.on("change", check)
    check()
  })
}

const change = edit => command => {
  const handle = handleFor(command)
  handle.change(doc => edit(doc, command))
  return { heads: page.heads(handle.doc()) }
}

const commands = {
  find: ({ url }) => find(url),
  wait: command => wait(handleFor(command), command),
  text: command => page.view(handleFor(command).doc()),
  heads: command => ({ heads: page.heads(handleFor(command).doc()) }),
  broadcast: command => handleFor(command).broadcast(command.value),
  insert: change(page.insert),
  delete: change(page.remove),
  set_title: change(page.setTitle),
  add_block: change(page.addBlock),
  move: change(page.move),
  quit: () => void setImmediate(() => process.exit(0)),
}

async function run(line) {
  let command = {}
  try {
    command = JSON.parse(line)
    if (!Object.hasOwn(commands, command.cmd)) throw new Error("unknown command")
    const result = await commands[command.cmd](command)
    reply(command, { ok: true, ...result })
  } catch (error) {
    reply(command, { ok: false, error: String(error?.message ?? error) })
  }
}

const reply = ({ cmd, tag }, result) => say({ reply: cmd ?? null, ...(tag === undefined ? {} : { tag }), ...result })

createInterface({ input: process.stdin }).on("line", run).on("close", () => process.exit(0))
if (args.doc) find(args.doc).catch(() => {})
