// A Cloud App in JavaScript: Node 18 or newer, and no dependencies.
//
//     CLOUD_APPS_UPSTREAM_KID=… CLOUD_APPS_UPSTREAM_SECRET=… node app.mjs
//
// HOST and PORT say where it listens; PORT=0 takes a free port. It speaks HTTP: put it behind what speaks HTTPS for you.
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const APP = "greeter";
const MOST = 2 * 1024 * 1024; // bytes of a request
const LEEWAY = 30; // seconds that two clocks may be apart

// --- What the app does ------------------------------------------------------------------------------------------------

const functions = {
  // /greeter greet NAME
  greet(request) {
    const { greeting = "Hello" } = request.context.app.settings;
    const { name = "stranger" } = request.command.encoded;
    return { type: "message", text: `${greeting}, ${escape(name)}!` };
  },

  // /greeter announce TEXT: the bot says it in the channel, for a person whom Mattermost vouches for.
  announce(request, claims) {
    // A caller with a static token can write anything into the body, also an acting_user. `sub` is there where it was proved.
    if (!("sub" in claims)) {
      return { type: "error", text: "Run this command in Mattermost: here nobody knows who you are." };
    }
    return { type: "message", to: "channel", text: escape(request.command.encoded.text) };
  },

  // Called before the app serves a Mattermost; an error refuses the installation.
  on_install(request) {
    const { greeting = "Hello" } = request.context.app.settings;
    if (greeting.trim() === "") {
      return { type: "error", text: "There is nothing to greet with.", fields: { greeting: "Write a word." } };
    }
    return { type: "done" };
  },
};

// What a person wrote, as text and not as Markdown. An invisible space keeps @, : and & from being read as more.
function escape(text) {
  return text.replace(/[\\`*_{}[\]<>()#+\-.!|~]/g, "\\$&").replace(/[@:&]/g, "$&\u200b");
}

// --- Who asks ---------------------------------------------------------------------------------------------------------

// The token does not prove that the bundle sent this.
class Refused extends Error {}

// The secrets that the bundle may sign with, by their kid; while one is rotated there are two.
const keys = new Map();
for (const more of ["", "_NEXT"]) {
  const kid = process.env[`CLOUD_APPS_UPSTREAM${more}_KID`];
  if (kid) keys.set(kid, Buffer.from(process.env[`CLOUD_APPS_UPSTREAM${more}_SECRET`] ?? "", "base64url"));
}

// Tokens that were used, until they have expired. The bundle never sends one twice.
const seen = new Map();

function spend(jti, exp, now) {
  for (const [known, until] of seen) if (until <= now) seen.delete(known);
  if (seen.has(jti)) throw new Refused("the token was used before");
  seen.set(jti, exp + LEEWAY);
}

function parsed(part) {
  try {
    return Object(JSON.parse(Buffer.from(part, "base64url").toString("utf8")));
  } catch {
    throw new Refused("the token is no JWT");
  }
}

// The claims of a token that proves that the bundle sent this request, and nobody else, and just now.
function verify(authorization, method, path, body, now) {
  const token = /^bearer ([\w-]+)\.([\w-]+)\.([\w-]*)$/i.exec(authorization ?? "");
  if (!token) throw new Refused("there is no token");
  const [, head, payload, signature] = token;
  const header = parsed(head);
  // One algorithm and one type, and the secret that the kid names: nothing here is chosen by who sends it.
  if (header.alg !== "HS256" || "crit" in header) throw new Refused("the token's algorithm is another");
  const key = keys.get(header.kid);
  if (header.typ !== "cloud-apps-upstream+jwt" || !key) throw new Refused("the token's type or kid is another");
  const expected = createHmac("sha256", key).update(`${head}.${payload}`).digest();
  const mac = Buffer.from(signature, "base64url");
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) throw new Refused("the signature is wrong");
  // From here on the bundle is known to have written it.
  const claims = parsed(payload);
  const body_sha256 = createHash("sha256").update(body).digest("base64url");
  const wanted = { iss: "cloud-apps", aud: APP, htm: method, htp: path, body_sha256 };
  for (const [claim, value] of Object.entries(wanted)) {
    if (claims[claim] !== value) throw new Refused(`the token's ${claim} is another`);
  }
  const { iat, exp, jti } = claims;
  if (!Number.isInteger(iat) || !Number.isInteger(exp) || exp < now - LEEWAY || iat > now + LEEWAY) {
    throw new Refused("the token is not of now");
  }
  spend(jti, exp, now);
  return claims;
}

// --- HTTP -------------------------------------------------------------------------------------------------------------

function handle(request, body) {
  if (request.method !== "POST") return [405, { error: "functions are called with POST" }];
  const path = request.url;
  let claims;
  try {
    claims = verify(request.headers.authorization, "POST", path, body, Math.floor(Date.now() / 1000));
  } catch (why) {
    if (why instanceof Refused) return [401, { error: why.message }];
    throw why;
  }
  const name = path.slice(1);
  if (!Object.hasOwn(functions, name)) return [404, { error: "there is no such function" }];
  return [200, functions[name](JSON.parse(body), claims)];
}

const server = createServer((request, response) => {
  const chunks = [];
  let length = 0;
  request.on("data", (chunk) => {
    length += chunk.length;
    if (length > MOST) request.destroy();
    else chunks.push(chunk);
  });
  request.on("end", () => {
    let status = 500;
    let answer = { error: "this failed; the log has the reason" };
    try {
      [status, answer] = handle(request, Buffer.concat(chunks));
    } catch (error) {
      console.error(error);
    }
    // One line per request; never a header or a body, because the token is a credential.
    console.log(request.method, request.url, status);
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(answer));
  });
});

if (keys.size === 0) {
  console.error("CLOUD_APPS_UPSTREAM_KID and CLOUD_APPS_UPSTREAM_SECRET are not set: `cloud-apps operator apps add` shows them");
  process.exit(1);
}
server.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? "127.0.0.1", () => {
  const { address, port } = server.address();
  console.log(`Listening on http://${address}:${port}`);
});
