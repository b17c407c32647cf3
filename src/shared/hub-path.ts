/** The path of the hub (R81). */
export const HUB_PATH = '/.well-known/mercure';
