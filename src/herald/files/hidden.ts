/** By this `@nestjs/swagger` leaves a controller out of an OpenAPI document: files are for people. */
export const HIDDEN = ['swagger/apiExcludeController', [true]] as const;
