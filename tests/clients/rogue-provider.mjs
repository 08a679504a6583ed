// A provider of logins that lies as a test tells it to. Whatever stands in the code it is given is what its token says.
//
//   node rogue-provider.mjs <port>
//
// The first line is {"listening":port}. A code is base64url of {"claims":{…},"header":{…},"sign":"RS256"|"ES256"|"EdDSA"|
// "HS256"|"none"|"stranger"|"next","userinfo":{…}}. "stranger" signs with a key that nobody published, under the name of one
// that was; "next" publishes a new key first. /redirect/ is a provider whose description is a redirect, /large/ one that
// does not end.

import { createHmac, generateKeyPairSync, sign as signWith } from "node:crypto"
import { createServer } from "node:http"

const port = Number(process.argv[2])
const issuer = `http://127.0.0.1:${port}`
const encode = value => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url")

const rsa = () => generateKeyPairSync("rsa", { modulusLength: 2048 })
const keys = {
  RS256: rsa(),
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: generateKeyPairSync("ed25519"),
}
const stranger = rsa()
const published = new Map(Object.entries(keys).map(([kid, pair]) => [kid, pair.publicKey]))
const pem = keys.RS256.publicKey.export({ type: "spki", format: "pem" })

function signature(how, message) {
  const bytes = Buffer.from(message)
  switch (how) {
    case "none":
      return ""
    case "HS256":
      return createHmac("sha256", pem).update(bytes).digest("base64url")
    case "ES256":
      return signWith("sha256", bytes, { key: keys.ES256.privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")
    case "EdDSA":
      return signWith(null, bytes, keys.EdDSA.privateKey).toString("base64url")
    case "stranger":
      return signWith("sha256", bytes, stranger.privateKey).toString("base64url")
    case "next":
      return signWith("sha256", bytes, keys.next.privateKey).toString("base64url")
    default:
      return signWith("sha256", bytes, keys.RS256.privateKey).toString("base64url")
  }
}

function token({ claims, header, sign }) {
  if (sign === "next") {
    keys.next = rsa()
    published.set("next", keys.next.publicKey)
  }
  const alg = ["stranger", "next"].includes(sign) ? "RS256" : sign
  const kid = sign === "next" ? "next" : sign === "stranger" || sign === "HS256" ? "RS256" : sign
  const message = `${encode({ typ: "JWT", alg, kid, ...header })}.${encode(claims)}`
  return `${message}.${signature(sign, message)}`
}

const metadata = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
  userinfo_endpoint: `${issuer}/userinfo`,
}
let userinfo = {}

async function body(request) {
  let text = ""
  for await (const part of request) text += part
  return new URLSearchParams(text)
}

async function answer(request, response) {
  const say = value => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value))
  switch (request.url) {
    case "/.well-known/openid-configuration":
      return say(metadata)
    case "/redirect/.well-known/openid-configuration":
      return response.writeHead(302, { location: `${issuer}/.well-known/openid-configuration` }).end()
    case "/large/.well-known/openid-configuration":
      return response.writeHead(200, { "content-type": "application/json" }).end(`{"issuer":"${"x".repeat(1 << 20)}"}`)
    case "/other/.well-known/openid-configuration":
      return say(metadata)
    case "/keys":
      return say({ keys: [...published].map(([kid, key]) => ({ ...key.export({ format: "jwk" }), kid, use: "sig" })) })
    case "/token": {
      const wish = JSON.parse(Buffer.from((await body(request)).get("code"), "base64url"))
      userinfo = wish.userinfo ?? {}
      return say({ access_token: "x", token_type: "Bearer", id_token: token(wish) })
    }
    case "/userinfo":
      return say(userinfo)
    default:
      return response.writeHead(404).end()
  }
}

const server = createServer((request, response) => answer(request, response).catch(error => response.writeHead(500).end(String(error))))
server.listen(port, "127.0.0.1", () => process.stdout.write(JSON.stringify({ listening: port }) + "\n"))
