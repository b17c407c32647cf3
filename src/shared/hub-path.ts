/** Where the hub is (R81). */
export const HUB_PATH = '/.well-known/mercure';
