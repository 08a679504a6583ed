// The page behind letters, run without a browser: `node open-page.mjs <server> <word>=<token> [label=value …] press=<button>
// [label=value …] press=<button>`. Prints what the page shows at the end, and what stands in the address bar, as one line
// of JSON. The document below knows as much as the page's script uses.

import vm from "node:vm"

const [server, hash, ...acts] = process.argv.slice(2)

class Node {
  constructor(tag) {
    Object.assign(this, { tag, children: [], listeners: {}, parent: null })
  }
  append(...children) { this.insert(this.children.length, children) }
  prepend(...children) { this.insert(0, children) }
  insert(at, children) {
    const made = children.map(child => (child instanceof Node ? child : Object.assign(new Node("#text"), { text: String(child) })))
    made.forEach(child => { child.parent = this })
    this.children.splice(at, 0, ...made)
  }
  replaceChildren(...children) {
    this.children = []
    this.append(...children)
  }
  remove() { this.parent.children = this.parent.children.filter(child => child !== this) }
  addEventListener(name, act) { this.listeners[name] = act }
  querySelector(selector) { return all(this).find(node => `.${node.className}` === selector) ?? null }
}

const all = node => [node, ...node.children.flatMap(all)]
const text = node => (node.tag === "#text" ? node.text : node.children.map(text).join(" "))

const page = new Node("div")
const location = { hash: `#${hash}`, pathname: "/open/" }
const calls = []
const world = {
  document: { title: "", getElementById: () => page, createElement: tag => new Node(tag) },
  location,
  history: { replaceState: (_state, _title, path) => { location.shown = path } },
  fetch: (path, options) => {
    calls.push(path)
    return fetch(server + path, options)
  },
}

/** Waits until the page has nothing under way: no button is held back, and it has shown something. */
async function settled() {
  const until = Date.now() + 10_000
  do {
    await new Promise(done => setTimeout(done, 20))
    if (Date.now() > until) throw new Error(`the page does not settle: ${text(page)}`)
  } while (page.children.length === 0 || all(page).some(node => node.disabled))
}

vm.runInNewContext(await (await fetch(`${server}/open/open.js`)).text(), world)
await settled()
for (const act of acts) {
  const [name, value] = [act.slice(0, act.indexOf("=")), act.slice(act.indexOf("=") + 1)]
  if (name === "press") {
    const button = all(page).find(node => node.tag === "button" && text(node) === value)
    if (!button) throw new Error(`no button ${value}: ${text(page)}`)
    const form = all(page).find(node => node.tag === "form")
    if (button.type === "submit") form.listeners.submit({ preventDefault() {} })
    else button.listeners.click()
    await settled()
  } else {
    const label = all(page).find(node => node.tag === "label" && text(node).startsWith(name))
    if (!label) throw new Error(`no field ${name}: ${text(page)}`)
    label.children.find(node => node.tag === "input").value = value
  }
}
console.log(JSON.stringify({ title: world.document.title, text: text(page), shown: location.shown, calls }))
