// A provider of logins that a test drives: OpenID Connect by oidc-provider, with people who need no password.
//
//   node provider.mjs <port> <redirect uri>
//
// The first line is {"listening":port}. Who signs in as "ada" has the address ada@example.com, verified; as
// "unverified-ada", not verified. The client is "sheaf" with the secret "a secret: 100% & more".

import { createServer } from "node:http"
import Provider from "oidc-provider"

const [port, redirectUri] = process.argv.slice(2)
const issuer = `http://127.0.0.1:${port}`

function account(id) {
  const name = id.replace(/^unverified-/, "")
  return {
    accountId: id,
    claims: () => ({ sub: id, name: `The ${name}`, email: `${name}@example.com`, email_verified: name === id }),
  }
}

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "sheaf",
      client_secret: "a secret: 100% & more",
      redirect_uris: [redirectUri],
      response_types: ["code"],
      grant_types: ["authorization_code"],
    },
  ],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
  findAccount: (_, id) => account(id),
  pkce: { required: () => true },
})

const server = createServer(provider.callback())
server.listen(Number(port), "127.0.0.1", () => process.stdout.write(JSON.stringify({ listening: Number(port) }) + "\n"))
